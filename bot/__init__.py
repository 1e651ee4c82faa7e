"""The WeChat side: receives messages, holds the dialogue, words the replies; and the command line."""
