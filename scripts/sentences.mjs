/** The sentences of comments in TypeScript and Lua, for scripts/lint-words.mjs. */

const LINE_COMMENTS = /^(?:\/\/|--(?!\[\[))/;
const MARK = /^[ \t]*(?:\/\*\*?|\*\/?|\/\/|--(?:\[\[)?)|(?:\*\/|\]\])$/gm;
const CODE = /`[^`]*`/g;
const LINK = /\{@link ([^}]+)\}/g;
const ASIDE = /\([^)]*\)/g;

/** A stop before white space, a blank line, a list item or a tag. */
const END = /(?<=[.:;?!])(?=\s)|(?=\n[ \t]*(?:\n|- |@))/;
/** Keys, arguments and results in the header of a script are a table. */
const TABLE = /^[ \t]*(?:KEYS\[|ARGV\[|Returns )/m;
const CELL_END = /(?<=[.:;?!])(?=\s)|(?=\n)|(?= {2}(?:KEYS|ARGV)\[)/;

/** The sentences of comments of a text: position and number of words. */
export function sentences(text, comments) {
  return joined(text, comments).flatMap((comment) => {
    let { at } = comment;
    return split(comment.text).map((sentence) => {
      const found = { at: at + Math.max(sentence.search(/\S/), 0), words: wordsOf(sentence) };
      at += sentence.length;
      return found;
    });
  });
}

function split(comment) {
  const text = readable(comment);
  const table = comment.startsWith("--[[") ? text.search(TABLE) : -1;
  const end = table < 0 ? text.length : table;
  return [...text.slice(0, end).split(END), ...text.slice(end).split(CELL_END)];
}

/** Line comments below each other are one comment. */
function joined(text, comments) {
  const found = [];
  for (const comment of comments) {
    const last = found.at(-1);
    if (last && isContinued(text, last, comment))
      last.text = text.slice(last.at, comment.at + comment.text.length);
    else found.push({ ...comment });
  }
  return found;
}

const isContinued = (text, last, next) =>
  LINE_COMMENTS.test(last.text) &&
  LINE_COMMENTS.test(next.text) &&
  /^\n[ \t]*$/.test(text.slice(last.at + last.text.length, next.at));

/** Without marks and asides, and with code as one word. Every character keeps its place. */
const readable = (comment) =>
  comment
    .replace(MARK, blank)
    .replace(CODE, (code) => "x".repeat(code.length))
    .replace(LINK, (link, name) => name.padStart(link.length))
    .replace(ASIDE, blank);

const blank = (text) => " ".repeat(text.length);

const wordsOf = (text) => text.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
