"""Logging in with tokens (OAuth 2, RFC 6749) where a provider takes no passwords any more."""
