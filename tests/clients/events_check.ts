// What has to hold of types that generators make of AsyncAPI; tsc says so.
import type { InvitationFailed, InvitationsOutcomes } from './events.js';

type Required<T> = { [K in keyof T]-?: undefined extends T[K] ? never : K }[keyof T];
type Is<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

// Required fields are required, and no others.
export const required: Is<
  Required<InvitationFailed>,
  | 'practice_id'
  | 'appointment_id'
  | 'invitation_id'
  | 'attempt'
  | 'channel'
  | 'sequence'
  | 'occurred_at'
  | 'category'
> = true;
// A topic's messages are a union of its events, not of anything.
export const union: Is<unknown, InvitationsOutcomes> = false;
export const member: InvitationFailed extends InvitationsOutcomes ? true : false = true;
