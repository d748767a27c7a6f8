"""One call of a model: sent by OpenAI's protocol, and read as it streams."""
