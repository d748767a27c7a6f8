"""The stores of big-AGI: named pieces of its state, each with its revisions, and what all apps stand on.

`records` is the kernel, `importers` brings files in, `api` is what REST views share, `admin` what admins share,
`background` what runs off the request's path, `backups` what keeps the data whole.
"""
