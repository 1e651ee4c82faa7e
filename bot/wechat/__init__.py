"""The only place that knows wechatpy and WeChat's wire format; our own types come out of it."""
