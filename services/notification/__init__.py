"""Notification: sends invitations and tells truthfully what became of them."""
