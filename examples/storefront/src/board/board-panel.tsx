/** A live board: the best of a leaderboard, as they are now. */
import { useQuery, useSubscription } from "@apollo/client/react";
import { useId, useState } from "react";
import { graphql } from "../generated";
import type { Period } from "../generated/graphql";
import { FailureNote } from "../ui/failure-note";

const BOARDS = graphql(`
  query Boards {
    leaderboards(first: 100) {
      edges {
        node {
          id
          slug
          title
          periods
        }
      }
    }
  }
`);

const WATCH_BOARD = graphql(`
  subscription WatchBoard($slug: String!, $period: Period!) {
    leaderboardChanged(slug: $slug, period: $period, top: 10) {
      version
      leaderboard {
        id
        title
      }
      entries {
        owner
        rank
        label
        score
      }
    }
  }
`);

const PERIODS: Record<Period, string> = {
  DAY: "Today",
  WEEK: "This week",
  MONTH: "This month",
  ALL_TIME: "All time",
};

export function BoardPanel() {
  const { data, error, refetch } = useQuery(BOARDS);
  const boards = data?.leaderboards.edges.map(({ node }) => node) ?? [];
  const [slug, setSlug] = useState<string>();
  const [wanted, setPeriod] = useState<Period>("ALL_TIME");
  const board = boards.find((one) => one.slug === slug) ?? boards[0];
  const period = board?.periods.includes(wanted) ? wanted : board?.periods[0];
  const titles = boards.map((one) => ({ value: one.slug, text: one.title }));
  const periods = board?.periods.map((one) => ({ value: one, text: PERIODS[one] })) ?? [];
  const id = useId();
  return (
    <section aria-labelledby={`${id}-heading`}>
      <h2 id={`${id}-heading`}>Live board</h2>
      {error && <FailureNote error={error} onRetry={() => void refetch().catch(() => {})} />}
      <div className="row">
        <Choice label="Board" value={board?.slug} options={titles} onChoose={setSlug} />
        <Choice<Period> label="Period" value={period} options={periods} onChoose={setPeriod} />
      </div>
      {board && period && (
        <Board key={`${board.slug} ${period}`} slug={board.slug} period={period} />
      )}
    </section>
  );
}

interface ChoiceProps<Value extends string> {
  label: string;
  value: Value | undefined;
  options: readonly { value: Value; text: string }[];
  onChoose(value: Value): void;
}

function Choice<Value extends string>({ label, value, options, onChoose }: ChoiceProps<Value>) {
  const id = useId();
  return (
    <div>
      <label htmlFor={id}>{label} </label>
      <select
        id={id}
        value={value ?? ""}
        onChange={(event) => onChoose(event.target.value as Value)}
      >
        {options.map((one) => (
          <option key={one.value} value={one.value}>
            {one.text}
          </option>
        ))}
      </select>
    </div>
  );
}

/** Every event is the whole top, so nothing has to be remembered. */
function Board({ slug, period }: { slug: string; period: Period }) {
  const { data, error, restart } = useSubscription(WATCH_BOARD, { variables: { slug, period } });
  if (error) return <FailureNote error={error} onRetry={restart} />;
  if (!data) return <p role="status">Loading…</p>;
  const { entries, leaderboard } = data.leaderboardChanged;
  const [first] = entries;
  return (
    <>
      <table>
        <caption>{leaderboard.title}</caption>
        <thead>
          <tr>
            <th scope="col">Rank</th>
            <th scope="col">Name</th>
            <th scope="col">Score</th>
          </tr>
        </thead>
        <tbody>
          {entries.map(({ owner, rank, label, score }) => (
            <tr key={owner}>
              <td>{rank}</td>
              <td>{label}</td>
              <td>{score}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {/* The whole table would be read out with every score; the leader is what matters. */}
      <p aria-live="polite">
        {first ? `${first.label} leads with ${first.score}.` : "There is no score yet."}
      </p>
    </>
  );
}
