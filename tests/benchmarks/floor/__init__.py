"""The least that requests and streams can cost in Django: views without middleware, SQL by hand, a proxy that keeps
nothing."""
