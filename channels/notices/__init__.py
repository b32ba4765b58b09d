"""Telling outside the desk what rules say: webhooks, programs, and services that reach people."""
