/** What is told when a program is missing and no way is left to get it. */

/** @param {"start" | "test"} purpose */
export function redisMessage(failure, purpose) {
  const rest =
    purpose === "test"
      ? "The tests start and kill servers of their own, so they need the first; `npm start` " +
        "takes any."
      : "Then `npm start` again.";
  return (
    `${failure}\n` +
    "Souk keeps live data in Redis (7.0 or newer, or Valkey). Three ways to get one:\n" +
    "  1. a system package   sudo apt-get install redis-server  ·  brew install redis  ·  " +
    "sudo dnf install valkey\n" +
    "  2. a container        docker run -d -p 127.0.0.1:6379:6379 redis:7, then " +
    "REDIS_URL=redis://127.0.0.1:6379 npm start\n" +
    "  3. one you have       REDIS_URL=redis://user:password@host:6379 npm start\n" +
    rest
  );
}

export const postgresMessage = (failure) =>
  `${failure}\n` +
  "The tests run against a real PostgreSQL (15 or newer). Three ways to get one:\n" +
  "  1. a system package   sudo apt-get install postgresql  ·  brew install postgresql@16  ·  " +
  "sudo dnf install postgresql-server\n" +
  "  2. a container        docker run -d -p 127.0.0.1:5432:5432 -e POSTGRES_PASSWORD=test " +
  "postgres:16,\n" +
  "                        then " +
  "TEST_DATABASE_URL=postgres://postgres:test@127.0.0.1:5432/postgres npm test\n" +
  "  3. one you have       TEST_DATABASE_URL=postgres://... npm test (the user needs CREATEDB; " +
  "databases it makes are called souk_test_*)";
