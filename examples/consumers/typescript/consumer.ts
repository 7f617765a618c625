// Follows what becomes of invitations, and keeps each event once: `node consumer.js FILE`.
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { Kafka, type IHeaders } from 'kafkajs';

const TOPICS = ['clinic.appointments.v1', 'clinic.invitations.outcomes.v1'];

type Kept = { id: string; type: string; data: unknown };

function needed(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set.`);
  return value;
}

function header(headers: IHeaders | undefined, name: string): string {
  return String(headers?.[name] ?? '');
}

const [path = 'events.jsonl'] = process.argv.slice(2);
const seen = new Set<string>(); // yours: a primary key
if (existsSync(path)) {
  const text = readFileSync(path, 'utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1); // of a line that was cut off: nothing
  writeFileSync(path, whole);
  for (const line of whole.split('\n').filter(Boolean)) seen.add((JSON.parse(line) as Kept).id);
}
const file = openSync(path, 'a');

const kafka = new Kafka({
  brokers: needed('KAFKA_BOOTSTRAP').split(','),
  ssl: (process.env.KAFKA_SECURITY ?? 'SASL_SSL') === 'SASL_SSL',
  sasl: {
    mechanism: 'scram-sha-512',
    username: needed('KAFKA_USERNAME'),
    password: needed('KAFKA_PASSWORD'),
  },
});
// A group's name has to begin with „reader".
const consumer = kafka.consumer({ groupId: process.env.KAFKA_GROUP ?? 'reader-example-typescript' });
await consumer.connect();
// From the beginning the first time; then it resumes where it committed.
await consumer.subscribe({ topics: TOPICS, fromBeginning: true });
await consumer.run({
  autoCommit: false,
  eachMessage: async ({ topic, partition, message }) => {
    const id = header(message.headers, 'ce_id'); // the same when an event comes again
    if (!seen.has(id)) { // kinds that you do not know: pass over them
      const data: unknown = JSON.parse(String(message.value));
      const event: Kept = { id, type: header(message.headers, 'ce_type'), data };
      writeSync(file, JSON.stringify(event) + '\n');
      fsyncSync(file); // first kept, then committed: else it could be lost
      seen.add(id);
    }
    const offset = (BigInt(message.offset) + 1n).toString();
    await consumer.commitOffsets([{ topic, partition, offset }]);
  },
});
// Whatever ends it, nothing is lost or kept twice the next time; told to stop, it does so in order.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    await consumer.disconnect();
    closeSync(file);
    process.exit(0);
  });
}
