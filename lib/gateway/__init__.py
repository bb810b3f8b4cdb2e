"""Outgoing HTTP: services, their addresses and models, requests and answers.

Begin with `client`, which makes one request; `answer_stream` reads what comes, and `error_mapping` what is refused.
"""
