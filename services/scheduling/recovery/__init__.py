"""After a restore or a lost topic: what the topic knows better is learnt, the rest told again."""
