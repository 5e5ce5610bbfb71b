/**
 * What one line of the log may hold: a client writes names, values and addresses into messages of
 * errors, and a failed statement brings its parameters along.
 */
import { stdSerializers } from "pino";
import { cutText } from "../domain/cut-text.js";

/** Characters of one field, an error with its stack for example. Our own code sets few of them. */
const MAX_FIELD_CHARACTERS = 8 * 1024;
/** Characters of one text, and of a stack, whose first frames tell most. */
const MAX_TEXT_CHARACTERS = 512;
const MAX_STACK_CHARACTERS = 4 * 1024;
const MAX_ITEMS = 10;
const MAX_DEPTH = 4;

interface Room {
  left: number;
}

/** The fields of a line within its bounds. */
export function boundFields(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, boundField(value)]),
  );
}

/** A value that throws when it is read must not fail whatever is logged about it. */
function boundField(value: unknown): unknown {
  try {
    return bound(value, { left: MAX_FIELD_CHARACTERS }, 0);
  } catch {
    return "[unreadable]";
  }
}

/** The message of a line within its bounds. */
export const boundText = (text: string): string => cutText(text, MAX_TEXT_CHARACTERS);

function bound(value: unknown, room: Room, depth: number): unknown {
  if (typeof value === "string") return take(value, MAX_TEXT_CHARACTERS, room);
  if (value instanceof Error) return boundObject(stdSerializers.err(value), room, depth);
  if (typeof value !== "object" || value === null) return value;
  if (depth >= MAX_DEPTH || room.left === 0) return "[…]";
  if (Array.isArray(value))
    return value.slice(0, MAX_ITEMS).map((item) => bound(item, room, depth + 1));
  // As what it writes itself as, not as a text, in which no secret would be found.
  if ("toJSON" in value && typeof value.toJSON === "function")
    return bound(value.toJSON(), room, depth + 1);
  return boundObject(value as Record<string, unknown>, room, depth + 1);
}

function boundObject(fields: object, room: Room, depth: number): Record<string, unknown> {
  const bounded: Record<string, unknown> = Object.create(null);
  for (const [key, value] of Object.entries(fields)) {
    if (room.left === 0) break;
    const isStack = key === "stack" && typeof value === "string";
    bounded[take(key, MAX_TEXT_CHARACTERS, room)] = isStack
      ? take(framesOf(value), MAX_STACK_CHARACTERS, room)
      : bound(value, room, depth);
  }
  return bounded;
}

/** A stack begins with the message, which has a field of its own: a long one is left out. */
function framesOf(stack: string): string {
  const frames = stack.indexOf("\n    at ");
  return frames > MAX_TEXT_CHARACTERS ? `…${stack.slice(frames)}` : stack;
}

function take(text: string, max: number, room: Room): string {
  if (room.left === 0) return "";
  const taken = cutText(text, Math.min(max, room.left));
  room.left -= taken.length;
  return taken;
}
