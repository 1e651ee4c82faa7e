"""The staff side: the workbench in the browser. It never talks to WeChat; it meets the bot in the database."""
