/**
 * Starts GraphiQL. It keeps its tabs, with their headers, in the browser. A token of a data folder
 * that is gone would be refused there, so it is replaced. GraphiQL opens one more tab for what no
 * stored tab holds exactly.
 */
const { options, operations, tabs, adminToken } = JSON.parse(
  document.querySelector("#souk").textContent,
);
const headersWith = (token) => JSON.stringify({ Authorization: `Bearer ${token}` });
const inTabs = (token) => JSON.stringify(headersWith(token)).slice(1, -1);
const known = localStorage.getItem("souk:admin-token");
if (known !== null && known !== adminToken)
  for (const key of Object.keys(localStorage).filter((key) => key.startsWith("graphiql")))
    localStorage.setItem(
      key,
      localStorage.getItem(key).replaceAll(inTabs(known), adminToken ? inTabs(adminToken) : "{}"),
    );
if (adminToken) localStorage.setItem("souk:admin-token", adminToken);
else localStorage.removeItem("souk:admin-token");

const tabOf = ({ query, variables, forAdmins }) => ({
  query,
  variables: variables ? JSON.stringify(variables, null, 2) : null,
  headers: forAdmins && adminToken ? headersWith(adminToken) : null,
});
function storedTabs() {
  try {
    return JSON.parse(localStorage.getItem("graphiql:tabState"));
  } catch {
    return null;
  }
}
const asked = new URL(location.href).searchParams;
const wanted = operations.find(({ name }) => name === asked.get("operation"));
const first = wanted ? [wanted, ...tabs.filter(({ name }) => name !== wanted.name)] : tabs;
const stored = storedTabs();
const shown = wanted
  ? stored?.tabs?.find(({ query }) => query === wanted.query)
  : stored?.tabs?.[stored.activeTabIndex];
const { query, variables, headers } = shown ?? tabOf(first[0]);
window.YogaGraphiQL.renderYogaGraphiQL(document.querySelector("#root"), {
  ...options,
  // The editor puts what is edited into the address.
  ...(!asked.has("query") && {
    initialQuery: query ?? "",
    initialVariables: variables ?? "",
    initialHeaders: headers ?? "",
  }),
  defaultTabs: first.map(tabOf),
});
