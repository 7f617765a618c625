"""A mail server that delivers nothing: what arrives can be read in the browser and by tests.

    python -m local.mailbox --folder FOLDER --smtp-port 8425 --http-port 8426 --report-port 8424

Some recipients are simulated, by what stands before the @ (a „+suffix" is ignored):

| recipient                 | answer to RCPT TO |
|---------------------------|-------------------|
| unbekannt@, unknown@      | 550 5.1.1, there is no such mailbox |
| voll@, full@              | 552 5.2.2, the mailbox is full |
| abgelehnt@, rejected@     | 550 5.7.1, refused by policy |
| spaeter@, later@          | 451 4.3.0, always: try later |
| einmal-spaeter@, once-later@ | 451 4.3.0 once for each address, then 250 |

Others are accepted, and a moment later something comes back to the envelope's sender, by SMTP to
the report port:

| recipient                             | what comes back |
|---------------------------------------|-----------------|
| spaeter-unbekannt@, later-unknown@    | DSN: failed, 5.1.1, there is no such mailbox |
| spaeter-voll@, later-full@            | DSN: failed, 5.2.2, the mailbox is full |
| verzoegert@, delayed@                 | DSN: delayed, 4.4.1 |
| zugestellt@, delivered@               | DSN: delivered, where it was asked for |
| abwesend@, away@                      | an out-of-office reply |

Everything else is accepted, and nothing comes back. The newest 1,000 messages are kept, of up to
10 MB each and 200 MB in all, in files, so that a second start finds them; what is to come back
waits in files too. With --journal every reply and report is a line of FOLDER/journal.jsonl.
"""
