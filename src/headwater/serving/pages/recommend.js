// A user by name, or items that somebody liked; the list that the model makes of them, and why.

const shown = (item) => item.title ?? String(item.item);

function show(about) {
  const state = { liked: new Map(), user: "", known: false, said: "" };
  const result = make("section", { id: "result", "aria-live": "polite" });
  result.style.cssText = "margin: 0; padding: 0; border: 0";

  const user = make("input", { id: "user", autocomplete: "off", placeholder: about.examples.length ? `such as ${about.examples[0]}` : "a name" });
  const chips = make("ul", { className: "chips", "aria-label": "Liked items" });
  const search = combo(about, (item) => pick(item));
  const choices = about.choices.map((choice) => {
    const select = make("select", { id: `by-${choice.column}` }, make("option", { value: "" }, "any"), choice.values.map((value) => make("option", { value }, value)));
    select.addEventListener("change", refresh);
    return { column: choice.column, select, node: make("div", { className: "field" }, make("label", { htmlFor: select.id }, choice.column), select) };
  });

  function body() {
    const where = Object.fromEntries(choices.filter((choice) => choice.select.value).map((choice) => [choice.column, choice.select.value]));
    return { ...(state.user && { user: state.user }), history: [...state.liked.keys()], where, why: true };
  }

  function pick(item) {
    state.liked.set(String(item.item), item);
    chips.replaceChildren(...[...state.liked.values()].map((one) => {
      const away = make("button", { type: "button", "aria-label": `Take ${shown(one)} away` }, "×");
      away.addEventListener("click", () => {
        state.liked.delete(String(one.item));
        away.closest("li").remove();
        search.input.focus();
        refresh();
      });
      return make("li", { className: "chip" }, make("span", { title: shown(one) }, shown(one)), away);
    }));
    refresh();
  }

  async function look() {
    const found = await ask("recommend", body());
    // Who has a history beside what was picked here is known to the server.
    state.known = Boolean(state.user) && found.history.some((one) => !state.liked.has(String(one.item)));
    const who = state.user ? `For ${state.user}` : "For someone who likes these";
    list(who, found, state.user && found.history.length ? found.history : null);
  }

  async function refresh() {
    state.said = "";
    if (!state.user && !state.liked.size) return idle();
    await doing(result, look).then(() => $("error").hidden || result.replaceChildren());
  }

  // What a known user likes is kept by the server; what a stranger likes stays on this page.
  async function like(item) {
    if (!state.known || !about.keeps) return pick(item);
    await doing(result, async () => {
      const { added } = await ask("interactions", { interactions: [{ user: state.user, item: item.item }] });
      state.said = `${added ? "Kept" : "Known already"}: ${state.user} likes ${shown(item)}.`;
      await look();
    });
  }

  async function alike(item) {
    await doing(result, async () => list(`Like ${shown(item)}`, await ask("similar", { item: item.item }), null));
    result.scrollIntoView({ block: "nearest" });
  }

  function list(title, found, history) {
    const scores = found.items.map((item) => item.score);
    const low = Math.min(0, ...scores), most = Math.max(...scores) - low || 1;
    const rows = found.items.map((item, place) => {
      const more = make("button", { type: "button", className: "plain" }, "More like this");
      more.addEventListener("click", () => alike(item));
      const liked = make("button", { type: "button", className: "plain", "aria-label": `I like ${shown(item)}` }, "I like it");
      if (state.known && about.keeps) liked.title = `Keeps it for ${state.user}`;
      liked.addEventListener("click", () => like(item));
      const because = (item.why ?? []).length
        ? make("div", { className: "because" }, "because of", item.why.map((one) => make("span", { className: "chip" }, make("span", { title: shown(one) }, shown(one)))))
        : null;
      return make("li", { "data-item": item.item },
        make("span", { className: "place" }, String(place + 1)),
        make("span", { className: "title" }, shown(item), item.title ? make("small", {}, ` ${item.item}`) : null),
        make("span", { className: "acts" }, liked, more),
        make("div", { className: "more" }, because, make("div", { title: `score ${number(item.score)}` }, meter((item.score - low) / most))));
    });
    const had = history && make("p", { className: "hint" }, `Last: ${history.slice(0, 8).map(shown).join(" · ")}`);
    const said = state.said && make("p", { className: "hint kept" }, state.said);
    result.replaceChildren(make("h2", {}, title), ...[said, had].filter(Boolean), make("ol", { className: "list" }, rows));
  }

  function idle() {
    const some = about.examples.slice(0, 4).map((name) => {
      const button = make("button", { type: "button", className: "plain" }, String(name));
      button.addEventListener("click", () => { user.value = name; who.requestSubmit(); });
      return button;
    });
    const words = make("p", { className: "empty" }, "Type a user, or pick items that somebody liked.", make("br"), make("br"), some.length ? "Users: " : "", some.flatMap((one) => [one, " "]));
    result.replaceChildren(words);
    tell("");
  }

  const who = make("form", { className: "field" }, make("label", { htmlFor: "user" }, "User"), make("div", { className: "row" }, user, make("button", {}, "Show")),
    make("p", { className: "hint" }, `${about.users.toLocaleString("en")} users, ${about.items.toLocaleString("en")} items`));
  who.addEventListener("submit", (event) => {
    event.preventDefault();
    state.user = user.value.trim();
    refresh();
  });
  const panel = make("div", {}, who, make("div", { className: "field" }, make("label", { htmlFor: "search" }, "Liked items"), search.node, chips), choices.map((choice) => choice.node));
  $("main").append(panel, result);
  idle();
  const given = new URLSearchParams(location.search).get("user");
  if (given) { user.value = given; who.requestSubmit(); }
}

// A field that finds items as one types: arrows move, Enter picks, Escape closes.
function combo(about, picked) {
  const input = make("input", {
    id: "search", type: "search", autocomplete: "off", placeholder: "Search by name or title", role: "combobox",
    "aria-expanded": "false", "aria-controls": "options", "aria-autocomplete": "list",
  });
  const options = make("ul", { id: "options", className: "options", role: "listbox", hidden: true });
  let items = [], at = -1, timer = 0, last = 0;

  function close() {
    options.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }
  function move(to) {
    at = (to + items.length) % items.length;
    [...options.children].forEach((node, place) => node.setAttribute("aria-selected", String(place === at)));
    input.setAttribute("aria-activedescendant", `option-${at}`);
    options.children[at].scrollIntoView({ block: "nearest" });
  }
  function take(place) {
    picked(items[place]);
    input.value = "";
    close();
  }
  async function look() {
    const turn = ++last;
    if (!input.value.trim()) return close();
    const found = await doing(null, () => ask(`items?limit=12&q=${encodeURIComponent(input.value)}`));
    if (!found || turn !== last) return;
    items = found.items;
    options.replaceChildren(...items.map((item, place) => {
      const node = make("li", { id: `option-${place}`, role: "option" }, make("span", {}, shown(item)), item.title ? make("small", {}, String(item.item)) : null);
      node.addEventListener("mousedown", (event) => { event.preventDefault(); take(place); });
      return node;
    }));
    if (!items.length) options.append(make("li", { className: "quiet" }, "No item is called so."));
    options.hidden = false;
    input.setAttribute("aria-expanded", "true");
    if (items.length) move(0);
  }
  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(look, 120); });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if (options.hidden || !items.length) return;
    if (event.key === "ArrowDown") { event.preventDefault(); move(at + 1); }
    if (event.key === "ArrowUp") { event.preventDefault(); move(at - 1); }
    if (event.key === "Enter") { event.preventDefault(); take(at); }
  });
  return { input, node: make("div", { className: "combo" }, input, options) };
}

start(show);
