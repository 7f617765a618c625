"""What a team would otherwise write: FastAPI, PostgreSQL, Celery on Redis, smtplib.

It stores an appointment, sends its invitation and marks it as sent, tuned as its parts' manuals
advise. None of our promises is kept: a task is lost where the process dies between commit and
enqueue, or the worker after it took it; nobody hears of bounces; there is no audit, sealing,
row-level security, history or live stream.
"""
