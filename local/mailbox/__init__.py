"""A mail server that delivers nothing: what arrives can be read in the browser and by tests.

    python -m local.mailbox --smtp-port 8425 --http-port 8426 --folder FOLDER

Some recipients are simulated, by what stands before the @ (a „+suffix" is ignored):

| recipient                 | answer to RCPT TO |
|---------------------------|-------------------|
| unbekannt@, unknown@      | 550 5.1.1, there is no such mailbox |
| voll@, full@              | 552 5.2.2, the mailbox is full |
| abgelehnt@, rejected@     | 550 5.7.1, refused by policy |
| spaeter@, later@          | 451 4.3.0, always: try later |
| einmal-spaeter@, once-later@ | 451 4.3.0 once for each address, then 250 |

Everything else is accepted. The newest 1,000 messages are kept, of up to 10 MB each and 200 MB in
all, in files, so that a second start finds them.
"""
