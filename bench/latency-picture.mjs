/** Latency against load, as SVG: one colour a server, a full line for p50 and a dashed one for p99. */
const WIDTH = 720;
const HEIGHT = 400;
const MARGIN = { left: 60, right: 20, top: 40, bottom: 50 };
const COLOURS = ["#0b6e4f", "#b5541c", "#4a4e9e"];
const STEPS_MS = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];

/** @param measured servers, each with points of `rate`, `p50` and `p99` (ms) */
export function drawLatencies(measured) {
  const points = measured.flatMap((one) => one.points);
  const most = Math.max(...points.map(({ rate }) => rate));
  const [least, largest] = bounds(points.flatMap(({ p50, p99 }) => [p50, p99]));
  const x = (rate) => MARGIN.left + (rate / most) * (WIDTH - MARGIN.left - MARGIN.right);
  const y = (ms) => {
    const share = Math.log(ms / least) / Math.log(largest / least);
    return HEIGHT - MARGIN.bottom - share * (HEIGHT - MARGIN.top - MARGIN.bottom);
  };
  const lines = measured.flatMap(({ title, points: own }, at) => [
    path(own, "p50", COLOURS[at], "", { x, y }),
    path(own, "p99", COLOURS[at], ' stroke-dasharray="5 4"', { x, y }),
    text(MARGIN.left + 8, MARGIN.top + 18 * (at + 1), `${title}: p50, p99 dashed`, COLOURS[at]),
  ]);
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="13">`,
    "<title>Latency of the stored page against load</title>",
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    text(MARGIN.left, 22, "Latency of the stored page, ms, against requests a second", "#222222"),
    ...STEPS_MS.filter((ms) => ms >= least && ms <= largest).flatMap((ms) => [
      `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${round(y(ms))}" y2="${round(y(ms))}" stroke="#dddddd"/>`,
      text(MARGIN.left - 8, round(y(ms)) + 4, ms, "#444444", "end"),
    ]),
    ...[0.25, 0.5, 0.75, 1].map((share) =>
      text(
        round(x(share * most)),
        HEIGHT - MARGIN.bottom + 20,
        Math.round(share * most),
        "#444444",
        "middle",
      ),
    ),
    ...lines,
    "</svg>",
  ].join("\n")}\n`;
}

/** The steps around all values. */
function bounds(values) {
  const [smallest, greatest] = [Math.min(...values), Math.max(...values)];
  return [
    STEPS_MS.findLast((ms) => ms <= smallest) ?? STEPS_MS[0],
    STEPS_MS.find((ms) => ms >= greatest) ?? greatest,
  ];
}

const path = (points, name, colour, more, { x, y }) =>
  `<polyline fill="none" stroke="${colour}" stroke-width="2"${more} points="${points
    .map((point) => `${round(x(point.rate))},${round(y(point[name]))}`)
    .join(" ")}"/>`;

const text = (x, y, words, colour, anchor = "start") =>
  `<text x="${x}" y="${y}" fill="${colour}" text-anchor="${anchor}">${words}</text>`;

const round = (value) => Math.round(value * 10) / 10;
