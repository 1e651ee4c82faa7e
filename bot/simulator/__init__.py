"""WeChat on your own machine: it signs, encrypts and pushes like the real one, and shows replies as a phone does."""
