"""The visit itself: when its room is open, the patient's page, the host's way in."""
