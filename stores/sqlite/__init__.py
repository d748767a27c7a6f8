"""Django's SQLite backend with connections that a server keeps between requests (`ENGINE = "stores.sqlite"`).

Settings name it; nobody else imports it but who starts and ends a server.
"""
