"""An identity provider for one machine: OpenID Connect with persons to pick from.

It asks for no password, so it listens on a loopback address only and stands for a real provider
in demo and tests alone: discovery, authorization code flow with PKCE, refresh, keys, logout.
"""
