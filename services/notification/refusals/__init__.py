"""What a refusal means, said in the dialogue or in a bounce: whom it is about and why.

Pure, and below whoever sends and whoever reads what comes back: both get the same answer.
"""
