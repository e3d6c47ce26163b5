// Live regions poll by htmx; nobody looks at a hidden page, so nothing is asked for it.
document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.verb === "get" && document.hidden) event.preventDefault();
});
// A poll that fails leaves the old content; say so once, until the next one succeeds.
document.addEventListener("htmx:afterRequest", (event) => {
  const said = document.getElementById("live-trouble");
  if (said) said.textContent = event.detail.successful ? "" : "Could not update. Trying again.";
});
