"""Telegram: a bot's private chats and groups, by long polling."""
