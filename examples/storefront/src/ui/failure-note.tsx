/** A failure, read out at once, and a button to try again where that can help. */
import { useEffect, useState } from "react";
import { describeFailure } from "../shop/failure";

export function FailureNote({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { message, retryAfterMs } = describeFailure(error);
  return (
    <p className="failure" role="alert">
      {message}
      {onRetry && <RetryButton key={message} afterMs={retryAfterMs} onRetry={onRetry} />}
    </p>
  );
}

/** Not to be pressed before the shop would listen. */
function RetryButton({ afterMs, onRetry }: { afterMs: number; onRetry: () => void }) {
  const [isDue, setDue] = useState(afterMs === 0);
  useEffect(() => {
    const timer = setTimeout(() => setDue(true), afterMs);
    return () => clearTimeout(timer);
  }, [afterMs]);
  return (
    <button type="button" disabled={!isDue} onClick={onRetry}>
      Try again
    </button>
  );
}
