// What only a script can do is shown only where it runs: "Live" and its button.
document.documentElement.classList.add("scripted");

// ---- live regions poll by htmx and are changed in place, so focus, what is open and what somebody typed or ticked stay ----
const isField = (node) => node instanceof Element && node.matches("input, select, textarea");
const inUse = (node) => isField(document.activeElement) && node.contains(document.activeElement);
const isTheReaders = (element, attribute) => attribute === "open" && element.matches("details");
const alike = (old, fresh) => old?.nodeName === fresh.nodeName && (old.id ?? "") === (fresh.id ?? "");
let leftOut = false; // a form in use was not removed: the next poll must bring this part again
const change = (old, fresh) => {
  if (old.isEqualNode(fresh) || isField(old)) return;
  if (!(old instanceof Element)) {
    old.nodeValue = fresh.nodeValue;
    return;
  }
  for (const { name } of [...old.attributes])
    if (!fresh.hasAttribute(name) && !isTheReaders(old, name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes)
    if (old.getAttribute(name) !== value && !isTheReaders(old, name)) old.setAttribute(name, value);
  let next = old.firstChild;
  for (const node of [...fresh.childNodes]) {
    const known = alike(next, node) ? next : node.id && [...old.children].find((child) => alike(child, node));
    if (!known) old.insertBefore(node, next);
    else {
      if (known === next) next = next.nextSibling;
      else old.insertBefore(known, next);
      change(known, node);
    }
  }
  while (next) {
    const gone = next;
    next = gone.nextSibling;
    if (inUse(gone)) leftOut = true;
    else gone.remove();
  }
};
htmx.defineExtension("change", {
  isInlineSwap: (style) => style === "change",
  handleSwap: (style, target, fragment) => {
    if (style !== "change") return false;
    change(target, fragment.firstElementChild);
    return [target]; // htmx takes notice of what is new in it
  },
});
// A hidden page does not poll, nor one whose reader has paused updates.
document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.verb === "get" && document.hidden) event.preventDefault();
  if ("paused" in document.body.dataset && event.detail.path.includes("seen=")) event.preventDefault();
  if (leftOut && !inUse(document.body)) {
    event.detail.path = event.detail.path.replace(/seen=\w*/, "seen=");
    leftOut = false;
  }
});
// The log of a live run stays at its newest line while the reader wants that.
document.addEventListener("htmx:afterSettle", () => {
  const log = document.getElementById("log");
  if (log && document.getElementById("follow-log")?.checked) log.scrollTop = log.scrollHeight;
});
// A poll that fails leaves the old content; say so once, until the next one succeeds.
document.addEventListener("htmx:afterRequest", (event) => {
  const said = document.getElementById("live-trouble");
  if (said) said.textContent = event.detail.successful ? "" : "Could not update. Trying again.";
});
// A message about a run says how it ended as soon as it has. The news is then not announced a second time.
document.addEventListener("htmx:oobAfterSwap", (event) => {
  for (const news of event.detail.target.querySelectorAll("#news [data-run]")) {
    const message = document.querySelector(`.message [data-run="${news.dataset.run}"]`);
    if (message && news.hasChildNodes()) message.replaceChildren(...news.childNodes); // the event comes once per swapped part
  }
});
// The button for several rows says how many are ticked and what they cost together; the page it leads to says it by the server.
const sumUp = () => {
  const words = document.getElementById("several-words");
  const ticked = [...document.querySelectorAll("[name=pick]:checked")];
  const prices = ticked.map((box) => box.closest("tbody")?.dataset.usd).filter(Boolean);
  const usd = prices.reduce((sum, price) => sum + Number(price), 0).toFixed(2);
  if (words) words.textContent = ticked.length + (prices.length ? ` (≈ $${usd})` : "");
};
document.addEventListener("change", sumUp);
document.addEventListener("htmx:afterSettle", sumUp);
addEventListener("pageshow", sumUp); // a page that is gone back to may have ticks
// Signed out meanwhile: the answer is the sign-in page. The whole page goes there, and comes back afterwards.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (new URL(event.detail.xhr.responseURL).pathname === event.detail.pathInfo.requestPath.split("?")[0]) return;
  event.detail.shouldSwap = false;
  location.reload();
});
