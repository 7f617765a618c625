"""An SMS gateway that reaches no phone: what was sent can be read in the browser and by tests.

    python -m local.sms_gateway --http-port 8427 --folder FOLDER --secret-file FILE

It speaks two APIs: under /v1 the generic one that `services.notification.sending.sms` describes
in `webhook`, and under /seven/api as much of seven.io's as its client uses. FILE holds the
shared secret (whsec_<base64>); for the second it is API key and signing key at once, and
--receipts-url says where that one's receipts go.

Numbers 0171 39200 00 to 99 belong to no one: the Bundesnetzagentur keeps them free for films
(Mitteilung 148/2021). The last two digits say how the phone behaves:

| number          | what happens |
|-----------------|--------------|
| 0171 39200 01   | delivered, as every number that is not listed |
| 0171 39200 02   | taken, then not delivered: there is no such subscriber |
| 0171 39200 03   | taken, then silence |
| 0171 39200 04   | delivered late (after twenty delays) |
| 0171 39200 05   | refused at once: no valid number |
| 0171 39200 06   | 429 with Retry-After the first time, then delivered |
| 0171 39200 07   | delivered, the receipt comes twice |
| 0171 39200 08   | delivered, the receipt comes before the reply |
| 0171 39200 09   | buffered, then delivered |
| 0171 39200 10   | buffered, then expired |
| 0171 39200 11   | taken and delivered, but the connection breaks before the reply |
| 0171 39200 12   | the connection breaks and nothing was taken |
| 0171 39200 13   | delivered; an older receipt „buffered" comes after it |
| 0171 39200 14   | delivered, and later taken back: not delivered |
| 0171 39200 15   | 503 the first time, then delivered |
| 0171 39200 16   | rejected by the network |
| 0171 39200 17   | refused: the gateway does not take the text |

PUT /api/weather sets the delay of receipts in seconds and the shares (0 to 1) of receipts that are
lost, doubled or out of order, and of messages that fail although their number would deliver.
POST /api/messages/{id}/receipts sends one receipt by hand. A receipt is offered again for about
two minutes until it is answered with 2xx. The newest 1,000 messages are kept, in files, and so are
receipts until they were answered. With --journal each is a line of FOLDER/journal.jsonl, too.
"""
