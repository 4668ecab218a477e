"""One module per engine behind the Generator protocol of `chatbot.generate`."""
