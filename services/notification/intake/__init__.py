"""Ways in for what comes back: mail servers deliver it here, or it is fetched from a mailbox."""
