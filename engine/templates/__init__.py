"""What messages are made from: Liquid templates in a folder, rendered within limits, and looked over beforehand.

Only what reads and renders them needs python-liquid; names and files do not.
"""
