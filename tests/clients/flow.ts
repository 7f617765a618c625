// From a key to a tick with clients made from OpenAPI alone; each line told is a step that held.
import assert from 'node:assert/strict';
import createClient from 'openapi-fetch';
import type { paths as Scheduling } from './scheduling.js';
import type { components, paths as Status } from './status.js';

type Indicator = components['schemas']['IndicatorView'];

function needed(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set.`);
  return value;
}

const scheduling = createClient<Scheduling>({ baseUrl: needed('EINLADUNG_SCHEDULING') });
const status = createClient<Status>({ baseUrl: needed('EINLADUNG_STATUS') });

const key = Buffer.from(`${needed('EINLADUNG_KEY_ID')}:${needed('EINLADUNG_KEY_SECRET')}`);
const exchanged = await scheduling.POST('/v1/tokens', {
  body: { grant_type: 'client_credentials' },
  bodySerializer: (body) => new URLSearchParams(body),
  headers: { Authorization: `Basic ${key.toString('base64')}` },
});
assert(exchanged.data);
const Authorization = `Bearer ${exchanged.data.access_token}`;
for (const client of [scheduling, status]) {
  client.use({ onRequest: ({ request }) => request.headers.set('Authorization', Authorization) });
}
console.log('token');

const followed = await status.GET('/v1/indicators/stream', { parseAs: 'stream' });
assert(followed.data);
const told = indicators(followed.data as unknown as ReadableStream<Uint8Array>);
assert.equal((await told.next()).value, 'ready');

const refusal = await scheduling.POST('/v1/appointments', {
  body: { ...visit('nobody'), duration_minutes: 481 },
});
assert.equal(refusal.response.status, 422);
assert(refusal.error && 'errors' in refusal.error);
assert.deepEqual(refusal.error.errors?.map((each) => each.field), ['email', 'duration_minutes']);
console.log('refused');

const invitation = {
  body: visit(`unbekannt@${process.pid}.example.org`),
  params: { header: { 'Idempotency-Key': `typescript-${process.pid}-${Date.now()}` } },
};
const created = await scheduling.POST('/v1/appointments', invitation);
const again = await scheduling.POST('/v1/appointments', invitation);
assert(created.data && again.data);
assert.equal(again.data.id, created.data.id);
const path = { appointment_id: created.data.id };
await shown('failed', 1);
console.log('failed');

const etag = created.response.headers.get('ETag');
assert(etag);
const resent = await scheduling.POST('/v1/appointments/{appointment_id}/invitations', {
  body: { email: `typescript-${process.pid}@example.org` },
  params: { path },
});
assert.equal(resent.response.status, 202);
await shown('delivered', 2);
console.log('delivered');

const move = (seen: string) =>
  scheduling.PATCH('/v1/appointments/{appointment_id}', {
    body: { time: '15:45', notify: false },
    params: { path, header: { 'If-Match': seen } },
  });
const stale = await move(etag);
assert.equal(stale.response.status, 412);
assert.equal(stale.error?.status, 412);
const current = await scheduling.GET('/v1/appointments/{appointment_id}', { params: { path } });
const moved = await move(current.response.headers.get('ETag') ?? '');
assert.equal(moved.response.status, 200);
console.log('moved');

const deleted = await scheduling.DELETE('/v1/appointments/{appointment_id}', { params: { path } });
assert.equal(deleted.response.status, 403);
console.log('not deleted');
process.exit(0); // the stream has no end

function visit(email: string) {
  const date = new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10);
  const channels: 'email'[] = ['email'];
  const when = { date, time: '10:00', duration_minutes: 20 };
  return { patient_name: 'Theo Typescript', channels, email, ...when, consent: true as const };
}

async function shown(overall: Indicator['overall'], attempt: number): Promise<void> {
  for (;;) {
    const { value } = await told.next();
    assert(value !== undefined, 'the stream has ended');
    if (value === 'ready' || value.appointment_id !== created.data?.id) continue;
    if (value.overall === overall && value.attempt === attempt) return;
  }
}

async function* indicators(stream: ReadableStream<Uint8Array>): AsyncGenerator<'ready' | Indicator> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const part of stream) {
    const events = (rest + decoder.decode(part, { stream: true })).split('\n\n');
    rest = events.pop() ?? '';
    for (const lines of events.map((event) => event.split('\n'))) {
      const kind = lines.find((line) => line.startsWith('event: '))?.slice(7);
      const data = lines.find((line) => line.startsWith('data: '))?.slice(6);
      if (kind === 'ready') yield kind;
      if (kind === 'indicator' && data) yield JSON.parse(data) as Indicator;
    }
  }
}
