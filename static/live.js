// Live regions poll by htmx; a hidden page does not poll.
document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.verb === "get" && document.hidden) event.preventDefault();
});
// A poll that fails leaves the old content; say so once, until the next one succeeds.
document.addEventListener("htmx:afterRequest", (event) => {
  const said = document.getElementById("live-trouble");
  if (said) said.textContent = event.detail.successful ? "" : "Could not update. Trying again.";
});
// Never replace a form that has the focus. Its region updates later.
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  if (document.activeElement?.form && event.detail.target.contains(document.activeElement)) event.detail.shouldSwap = false;
});
// Signed out meanwhile: the answer is the sign-in page. The whole page goes there, and comes back afterwards.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (new URL(event.detail.xhr.responseURL).pathname === event.detail.pathInfo.requestPath.split("?")[0]) return;
  event.detail.shouldSwap = false;
  location.reload();
});
