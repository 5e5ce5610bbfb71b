/**
 * What all apps under test are started with beside what their test wants: `TEST_APP_ENV`, as JSON.
 * `npm run drill` runs the suites in several modes.
 */
export const MODE: Readonly<Record<string, string>> = JSON.parse(process.env.TEST_APP_ENV ?? "{}");
