"""What all REST views share: ids, problems, preconditions, pagination, streaming, the schema.

Imported by the HTTP layer alone: views, serializers, filters, URLs and middleware.
"""
