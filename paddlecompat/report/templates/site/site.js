// The choices of the first page, the filters of the matrix, and the buttons that copy.
// All words come from the page: `labels` has those of the script, `data` the answers.
"use strict";

const byId = (id) => document.getElementById(id);
const json = (id) => JSON.parse(byId(id).textContent);
const fill = (pattern, ...values) => values.reduce((text, value) => text.replace("{}", value), pattern);

// An element with its attributes and what stands in it; texts stay texts.
function make(name, attributes = {}, ...content) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...content.filter((part) => part !== null && part !== ""));
  return made;
}

function offerCopies(within) {
  for (const button of within.querySelectorAll("button.copy")) {
    button.hidden = false;
    const words = button.textContent;
    button.addEventListener("click", async () => {
      const source = button.parentElement.querySelector("pre, code");
      await copy(source.textContent);
      button.textContent = button.dataset.done;
      setTimeout(() => { button.textContent = words; }, 2000);
    });
  }
}

// The clipboard is not there for every page that is opened as a file.
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = make("textarea", { "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

function startAsking() {
  const form = byId("ask"), box = byId("answer"), table = byId("releases");
  const labels = json("labels"), data = json("data");
  const fields = ["release", "card", "system", "how", "use"];
  const text = (answer, name) => (answer[name] === undefined ? "" : data.texts[answer[name]]);
  const position = (list, value) => Math.max(0, list.indexOf(value));

  function answerTo(use, release, how, system, card) {
    const at = data.index[position(data.uses, use)][position(data.releases, release)];
    const place = at[position(data.hows, how)][position(data.systems, system)];
    return data.answers[place[position(data.places, card)]];
  }
  const chosen = () => Object.fromEntries(fields.map((name) => [name, form.elements[name].value]));
  const option = (name) => form.elements[name].selectedOptions[0].textContent;
  const title = (use) => [...form.elements.use.options].find((each) => each.value === use).textContent;
  const evidence = (answer, release) =>
    answer.bugs ? `bugs/${data.texts[answer.bugs[0]]}.html#script` : `releases/${release}.html#${answer.worst === "unknown" ? "unmeasured" : "answers"}`;
  const word = (answer) => make("span", { class: `word ${answer.worst}` }, labels.worst[answer.worst]);

  function readAddress() {
    const asked = new URLSearchParams(location.hash.slice(1));
    for (const name of fields) {
      const value = asked.get(name);
      const field = form.elements[name];
      if (value !== null && [...field.options].some((each) => each.value === value)) field.value = value;
    }
  }
  function address() {
    return `#${new URLSearchParams(Object.entries(chosen()).filter(([, value]) => value))}`;
  }

  function commandLine(label, command) {
    const button = make("button", { type: "button", class: "copy", "data-done": labels.copied, hidden: "" }, labels.copy);
    return make("div", { class: "command" }, make("b", {}, label), make("code", {}, command), button);
  }

  // Each command once, whichever uses it is for.
  function commandLines(answers) {
    const lines = new Map();
    for (const answer of answers) {
      const instead = text(answer, "instead");
      const install = text(answer, "install"), finds = text(answer, "finds");
      if (install) lines.set(install, instead ? fill(labels.take, instead) : labels.install);
      if (finds) lines.set(finds, labels.finds);
    }
    return [...lines].map(([command, label]) => commandLine(label, command));
  }

  function toldItem(name, answer) {
    const basis = text(answer, "basis");
    return make("li", {}, word(answer), " ", make("b", {}, name), basis ? " " : "",
      basis ? make("small", {}, basis) : "", make("br"), text(answer, "says"));
  }

  function links(answers, asked) {
    const items = new Map();
    for (const answer of answers) {
      for (const bug of answer.bugs || []) {
        const id = data.texts[bug];
        items.set(`bugs/${id}.html`, data.bugs[id]);
      }
      for (const thread of answer.threads || []) {
        const [link, name] = data.texts[thread].split(" ");
        items.set(link, name);
      }
    }
    const all = [[`releases/${asked.release}.html`, fill(labels.about, asked.release)], ...items, [address(), labels.link]];
    return make("ul", { class: "links" }, ...all.map(([href, name]) => make("li", {}, make("a", { href }, name))));
  }

  function otherwise(asked, uses) {
    const how = asked.how === "fresh" ? "pinned" : "fresh";
    const button = make("button", { type: "button" }, labels.show);
    button.addEventListener("click", () => { form.elements.how.value = how; change(); form.elements.how.focus(); });
    const answers = uses.map((use) => answerTo(use, asked.release, how, asked.system, asked.card));
    const told = uses.map((use, at) => [title(use), answers[at]]);
    const alike = new Set(answers.map((each) => each.worst)).size === 1;
    const parts = alike ? [word(answers[0])] : told.flatMap(([name, each], at) => [at ? labels.comma : "", `${name} `, word(each)]);
    return make("p", {}, labels.otherwise[how], labels.colon, ...parts, " ", button);
  }

  function showAnswer() {
    const asked = chosen();
    const uses = asked.use ? [asked.use] : data.uses;
    const answers = uses.map((use) => answerTo(use, asked.release, asked.how, asked.system, asked.card));
    const alike = answers.length > 1 && answers.every((each) => each === answers[0]);
    const items = alike ? [toldItem(labels.all, answers[0])] : uses.map((use, at) => toldItem(title(use), answers[at]));
    const worst = labels.order.find((name) => answers.some((each) => each.worst === name));
    const where = [option("card"), option("system"), option("how")].join(labels.comma);
    box.className = worst;
    box.replaceChildren(
      make("h2", {}, `PaddlePaddle ${asked.release}${labels.comma}${where}`),
      make("ul", { class: "answers" }, ...items),
      ...commandLines(answers), otherwise(asked, uses), links(answers, asked));
    box.hidden = false;
    offerCopies(box);
  }

  function cell(answer, release) {
    const basis = text(answer, "basis") || text(answer, "finds");
    const link = make("a", { href: evidence(answer, release) }, labels.worst[answer.worst]);
    return make("td", { class: answer.worst }, link, basis ? make("small", {}, basis) : "");
  }

  // What others reported of the release on any card, by the system and the CUDA of the build that
  // they had, unless that is the chosen answer itself.
  function reportedElsewhere(use, release, asked) {
    const found = new Map();
    const here = answerTo(use, release, asked.how, asked.system, asked.card);
    for (const [at, system] of data.systems.entries()) {
      if (here.reported && system === asked.system) continue;
      for (const card of data.places) {
        const answer = answerTo(use, release, "pinned", system, card);
        const where = [form.elements.system.options[at].textContent, text(answer, "cuda")];
        if (answer.reported) found.set(where.join(labels.comma), answer);
      }
    }
    const parts = [...found].flatMap(([where, answer], at) =>
      [at ? make("br") : "", `${where}${labels.colon}${fill(labels.reported, labels.worst[answer.worst], answer.reported)}`]);
    const worst = labels.order.find((name) => [...found.values()].some((answer) => answer.worst === name));
    return make("td", { class: worst || "unknown" }, ...(parts.length ? parts : [labels.none]));
  }

  function showTable() {
    const asked = chosen(), use = asked.use || data.uses[0];
    const mine = [option("card"), option("system"), option("how")].join(labels.comma);
    const [first, ...others] = labels.columns;
    const heads = [first, fill(labels.chosen, mine), ...others];
    table.caption.textContent = title(use);
    table.tHead.replaceChildren(make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head))));
    table.tBodies[0].replaceChildren(...data.releases.map((release) => {
      const row = make("tr", release === asked.release ? { class: "chosen" } : {});
      row.append(
        make("th", { scope: "row" }, make("a", { href: `releases/${release}.html` }, release)),
        cell(answerTo(use, release, asked.how, asked.system, asked.card), release),
        reportedElsewhere(use, release, asked),
        cell(answerTo(use, release, "pinned", "linux", ""), release),
        cell(answerTo(use, release, "fresh", "linux", ""), release));
      return row;
    }));
  }

  function show() {
    showAnswer();
    showTable();
    const other = byId("other");
    other.href = other.href.split("#")[0] + address();
  }
  function change() {
    history.replaceState(null, "", address());
    show();
  }

  if (navigator.userAgent.includes("Windows")) form.elements.system.value = "windows";
  form.hidden = false;
  readAddress();
  form.addEventListener("change", change);
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", () => { readAddress(); show(); });
  show();
}

function startFiltering() {
  const form = byId("filter"), body = byId("matrix").tBodies[0], count = byId("count");
  const rows = [...body.rows];
  const has = (row, name, value) => !value || row.dataset[name].split(" ").includes(value);
  function show() {
    const { words, severity, use, order } = Object.fromEntries(new FormData(form));
    const wanted = words.toLowerCase().split(/\s+/);
    for (const row of rows) {
      const name = row.cells[0].textContent.toLowerCase();
      row.hidden = !(wanted.every((each) => name.includes(each)) && has(row, "severity", severity) && has(row, "use", use));
    }
    const sorted = [...rows];
    if (order === "failing") sorted.sort((one, other) => other.dataset.failing - one.dataset.failing);
    if (order === "name") sorted.sort((one, other) => one.cells[0].textContent.localeCompare(other.cells[0].textContent));
    body.append(...sorted);
    count.textContent = rows.filter((row) => !row.hidden).length;
  }
  form.hidden = false;
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  show();
}

offerCopies(document);
if (byId("ask")) startAsking();
if (byId("filter")) startFiltering();
