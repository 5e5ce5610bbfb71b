/**
 * Where the shop answers: VITE_API, else port 4000 of the page's own host name. Cookies go along to
 * any port of one host name; `localhost` and `127.0.0.1` are two.
 */
export const API: string =
  import.meta.env.VITE_API || `${location.protocol}//${location.hostname}:4000/graphql`;
