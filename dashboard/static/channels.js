// The ways to reach a patient.

/** Channel -> the field of an appointment, and of a form, with the address for it. */
export const ADDRESS_FIELDS = { email: "email", sms: "phone" };
