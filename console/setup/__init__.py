"""Setting a desk up: questions and answers, accounts that are tried, deskhand.toml and secrets."""
