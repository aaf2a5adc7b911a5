import { Type } from '@sinclair/typebox';
import { parserOf, type Described } from '../../system/schema.ts';

const settingsSchema = Type.Object({
  runsDirectory: Type.String(),
  experiment: Type.String(),
  sweepId: Type.String(),
  /** Overrides the address of the spec and of the environment. */
  to: Type.Optional(Type.String()),
  /** Servers that a spec may name in this command. */
  allowServers: Type.Optional(Type.Array(Type.String())),
  /** The address of the spec with its user info, which is never written to a file. */
  uriWithUserInfo: Type.Optional(Type.String()),
});

/** What the uploader's process receives at its start. */
export type UploaderSettings = Described<typeof settingsSchema>;

const requestSchema = Type.Union([
  Type.Object({ type: Type.Literal('start'), settings: settingsSchema }),
  /** Training is over: send the rest, for at most this long. A second one ends the sending sooner. */
  Type.Object({ type: Type.Literal('finish'), drainMs: Type.Number() }),
]);

/** From the command to the uploader. */
export type UploaderRequest = Described<typeof requestSchema>;

export const parseUploaderRequest = parserOf(requestSchema);

const unsentSchema = Type.Object({
  runs: Type.Number(),
  points: Type.Number(),
  /** The command that sends it. */
  command: Type.String(),
});

/** What is not on the server. */
export type Unsent = Described<typeof unsentSchema>;

const reportSchema = Type.Union([
  /** Sent every second once it was asked to finish: a stopped process is not waited for. */
  Type.Object({ type: Type.Literal('alive') }),
  Type.Object({ type: Type.Literal('linked'), link: Type.String() }),
  Type.Object({ type: Type.Literal('notice'), message: Type.String() }),
  Type.Object({
    type: Type.Literal('finished'),
    sent: Type.Number(),
    unsent: Type.Union([unsentSchema, Type.Null()]),
  }),
]);

/** From the uploader to the command. */
export type UploaderReport = Described<typeof reportSchema>;

export const parseUploaderReport = parserOf(reportSchema);
