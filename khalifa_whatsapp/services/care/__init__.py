"""What the system does for a conversation by itself: automatic replies, consent, satisfaction."""
