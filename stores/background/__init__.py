"""What runs off the request's path: threads, batches that are written later, processes and their leases.

Everything may import it.
"""
