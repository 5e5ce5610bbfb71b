/**
 * Bounds of one log line. Error messages hold values of clients,
 * and failed statements hold their parameters.
 */
import { stdSerializers } from "pino";
import { cutText } from "../domain/cut-text.js";
import { inSources } from "./source-positions.js";

/** Characters of one field, e.g. an error with its stack. */
const MAX_FIELD_CHARACTERS = 8 * 1024;
/**
 * Characters of one text, and of a stack: its first frames
 * matter most.
 */
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

/** A value whose getter throws must not fail the log call. */
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
  // Bounded as JSON: in a text no secret would be found.
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
      ? take(inSources(framesOf(value)), MAX_STACK_CHARACTERS, room)
      : bound(value, room, depth);
  }
  return bounded;
}

/**
 * A stack begins with the message, which has its own field. A
 * long one is left out.
 */
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
