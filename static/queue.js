// The tab Pending: what is ticked, and keys that act on the card that has the focus. Everything works without this too.
const queue = document.getElementById("queue");
const boxes = () => [...queue.querySelectorAll("[name=pick]")];
const count = () => {
  const ticked = boxes().filter((box) => box.checked).length;
  const words = document.getElementById("picked");
  if (words) words.textContent = ticked;
  for (const button of queue.querySelectorAll("[name=bulk]"))
    button.textContent = `${button.value[0].toUpperCase()}${button.value.slice(1)} ${ticked || "chosen"}`;
};
queue?.addEventListener("change", (event) => {
  if (event.target.id === "pick-all") for (const box of boxes()) box.checked = event.target.checked;
  count();
});
const KEYS = { a: "approve", r: "reject", x: "archive" };
const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
queue?.addEventListener("keydown", (event) => {
  const card = event.target.closest(".card");
  if (!card || event.ctrlKey || event.altKey || event.metaKey) return;
  const action = KEYS[event.key.toLowerCase()];
  const next = STEPS[event.key] > 0 ? card.nextElementSibling : card.previousElementSibling;
  if (action) card.querySelector(`[name=${action}]`)?.click();
  else if (event.key in STEPS) next?.querySelector(".card__link").focus();
  else if (event.key === " " && event.target.matches(".card__link")) card.querySelector("[name=pick]")?.click();
  else return;
  event.preventDefault();
});
addEventListener("pageshow", () => queue && count()); // a page that is gone back to may have ticks
