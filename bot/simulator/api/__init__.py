"""A fake of WeChat's API server: same paths, same answers, same refusals (wechat.md §3, §6)."""
