// The phone's screen: asks the simulator what is new, draws it, and tells it what the user does.

const at = (id) => document.getElementById(id);
const QUIET_MINUTES = 5;
const FACES = ["[微笑]", "[呲牙]", "[强]", "[抱拳]", "[合十]", "[流泪]", "[发怒]", "[疑问]", "[再见]", "[OK]"];

const screen = {
  openid: "",      // whose phone this is
  latest: 0,       // the newest bubble drawn
  shownAt: null,   // the time of the newest bubble drawn
  seen: {},        // openid → the newest bubble somebody looked at
  mode: "keyboard",
  prefersMenu: true,
  menu: "",
  asking: null,    // the request for news that is under way
  isAtEnd: true,   // the newest bubble is in sight, and stays there when the dock grows
};

// Talking to the simulator.

async function ask(path, options) {
  const answer = await fetch(path, options);
  const fields = await answer.json();
  if (!answer.ok) throw new Refused(fields.why ?? `状态码${answer.status}`);
  return fields;
}

class Refused extends Error {}

const tell = (path, fields) =>
  ask(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(fields) });

async function act(action, fields = {}) {
  const mine = ["text", "tap", "send", "voice", "menu", "click", "scan", "follow"].includes(action);
  const waiting = mine ? setTimeout(showWaiting, 400) : 0;
  try {
    const done = tell("phone/acts", { openid: screen.openid, action, ...fields });
    refresh();
    await done;
  } catch (error) {
    toast(error instanceof Refused ? error.message : "模拟服务没有回应，它还在运行吗？");
  }
  clearTimeout(waiting);
  hideWaiting();
  refresh();
}

/** Ask for news at once instead of waiting for some. */
function refresh() {
  screen.asking?.abort();
}

async function listen() {
  // The newest bubble of anybody's that the last answer knew of; null asks for an answer at once.
  let world = null;
  for (;;) {
    const asking = (screen.asking = new AbortController());
    const openid = screen.openid;
    try {
      const query = new URLSearchParams({ openid, after: screen.latest });
      if (world !== null) query.set("world", world);
      const state = await ask(`phone/state?${query}`, { signal: asking.signal });
      if (openid === screen.openid) draw(state);
      world = state.world;
    } catch (error) {
      world = null;
      if (error.name === "AbortError") continue;
      toast("连不上模拟服务：请在终端运行 fawen simulate --web");
      await new Promise((resolve) => setTimeout(resolve, 3000));
    }
  }
}

// Drawing.

function make(tag, className = "", text = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#${name}`);
  svg.append(use);
  return svg;
}

function picture(source, className, alt) {
  const image = make("img", className);
  image.src = `static/${source}`;
  image.alt = alt;
  return image;
}

function draw(state) {
  const chat = at("chat");
  const fresh = state.bubbles.filter((bubble) => bubble.number > screen.latest);
  for (const bubble of fresh) {
    drawTime(new Date(bubble.at));
    if (bubble.side !== "user") hideWaiting();
    chat.append(drawBubble(bubble));
  }
  screen.latest = Math.max(screen.latest, state.latest);
  screen.seen[screen.openid] = screen.latest;
  if (fresh.length && (screen.isAtEnd || fresh.some((bubble) => bubble.side === "user"))) toEnd();
  at("title").textContent = state.account.title;
  const { kind, mode, url } = state.account;
  at("about").textContent = `${kind} · ${{ plain: "明文", compat: "兼容", safe: "安全" }[mode]}模式 · 推送到 ${url}`;
  drawPeople(state);
  drawAllowance(state);
  drawMenu(state);
  drawTrouble(state.trouble);
  at("follow").disabled = state.user.is_following;
  at("unfollow").disabled = !state.user.is_following;
  at("follow-bar").hidden = state.user.is_following;
  at("dock").hidden = !state.user.is_following;
  if (fresh.some((bubble) => bubble.exchange)) listExchanges();
}

function toEnd() {
  at("chat").scrollTop = at("chat").scrollHeight;
  screen.isAtEnd = true;
}

function drawTime(time) {
  const before = screen.shownAt;
  if (!before || time - before > QUIET_MINUTES * 60_000) at("chat").append(make("p", "time", clockTime(time)));
  screen.shownAt = time;
}

function clockTime(time) {
  const clock = time.toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit", hour12: false });
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(time).setHours(0, 0, 0, 0)) / 86_400_000);
  if (days === 0) return clock;
  return days === 1 ? `昨天 ${clock}` : `${time.getMonth() + 1}月${time.getDate()}日 ${clock}`;
}

function drawBubble(bubble) {
  if (bubble.side === "system" && bubble.kind !== "fault") {
    const quiet = bubble.kind === "silence";
    return make("p", quiet ? "note quiet" : "note", quiet ? "（公众号没有回复）" : bubble.segments[0].words);
  }
  const isMine = bubble.side === "user";
  const line = make("div", isMine ? "line mine" : "line");
  const said = make("div", "said");
  said.append(drawContent(bubble));
  if (bubble.side === "pushed") said.append(make("div", "caption", "客服消息（主动推送）"));
  if (bubble.kind === "fault") said.append(faultCaption(bubble));
  line.append(picture(isMine ? "user.svg" : "icon.svg", "", isMine ? "我" : "公众号"), said);
  return line;
}

function faultCaption(bubble) {
  const caption = make("div", "caption fault", `原因：${bubble.fault} `);
  const look = make("button", "", "看报文");
  look.type = "button";
  look.addEventListener("click", () => showExchange(bubble.exchange));
  caption.append(look);
  return caption;
}

function drawContent(bubble) {
  const words = bubble.segments.map((segment) => segment.words ?? "").join("");
  if (bubble.articles.length) return articleCard(bubble.articles[0].title, "图文消息");
  switch (bubble.side === "user" || !words ? bubble.kind : "text") {
    case "image":
      return bare(picture("photo.svg", "picture", "图片"));
    case "video":
    case "shortvideo": {
      const film = bare(picture("photo.svg", "picture", "视频"));
      film.classList.add("film");
      return film;
    }
    case "location":
      return placeCard();
    case "link":
      return articleCard("一篇文章", "mp.weixin.qq.com");
    case "voice": {
      const voice = make("div", "bubble");
      const spoken = make("div", "spoken");
      spoken.append(icon("i-wave"), make("span", "", "3″"));
      voice.append(spoken);
      if (!words) return voice;
      const both = make("div", "said");
      both.append(voice, make("div", "caption", `识别为：${words}`));
      return both;
    }
    case "music":
    case "transfer_customer_service":
      return make("div", "bubble", bubble.kind === "music" ? "〔音乐〕" : "〔转给人工客服〕");
  }
  if (bubble.side === "user" && words.startsWith("【收到不支持的消息类型")) return bare(picture("sticker.svg", "sticker", "表情"));
  return wordsBubble(bubble);
}

function bare(content) {
  const bubble = make("div", "bubble bare");
  bubble.append(content);
  return bubble;
}

function placeCard() {
  const card = make("div", "card");
  card.append(make("strong", "", "滨海新区第一大街"), make("small", "", "天津市滨海新区"), picture("map.svg", "", "地图"));
  return bare(card);
}

function articleCard(title, source) {
  const card = make("div", "card");
  card.append(make("strong", "", title), make("small", "", source));
  return bare(card);
}

function wordsBubble(bubble) {
  const element = make("div", "bubble");
  let place = 0;
  for (const segment of bubble.segments) {
    if ("words" in segment) {
      element.append(segment.words);
    } else if ("tap" in segment) {
      const index = place++;
      const tap = make("button", "tap", segment.tap);
      tap.type = "button";
      tap.title = `点击后发送：${segment.sends}`;
      tap.addEventListener("click", () => act("tap", { bubble: bubble.number, place: [index] }));
      element.append(tap);
    } else {
      const link = make("a", "", segment.link);
      link.href = /^https?:/.test(segment.address) ? segment.address : "#";
      link.target = "_blank";
      link.rel = "noopener noreferrer";
      element.append(link);
    }
  }
  return element;
}

function showWaiting() {
  if (document.querySelector(".waiting")) return;
  const line = make("div", "line waiting");
  const bubble = make("div", "bubble", "…");
  bubble.setAttribute("aria-label", "公众号正在处理");
  line.append(picture("icon.svg", "", ""), bubble);
  at("chat").append(line);
  toEnd();
}

function hideWaiting() {
  document.querySelector(".waiting")?.remove();
}

function drawPeople(state) {
  const people = at("people");
  people.replaceChildren(
    ...state.users.map((user) => {
      const isMe = user.openid === screen.openid;
      const hasNews = !isMe && user.latest > (screen.seen[user.openid] ?? 0);
      const button = make("button", hasNews ? "new" : "", user.name);
      button.type = "button";
      button.setAttribute("aria-pressed", isMe);
      if (hasNews) button.title = "有新消息";
      button.addEventListener("click", () => {
        openPanel(false);
        switchTo(user.openid);
      });
      return button;
    }),
  );
}

function drawAllowance(state) {
  const span = (seconds) =>
    seconds >= 3600 ? `${Math.floor(seconds / 3600)}小时${Math.floor((seconds % 3600) / 60)}分` : `${seconds}秒`;
  const lines = state.allowance.map((grant) => `因${grant.trigger}：${grant.left}条，${span(grant.seconds)}内有效`);
  if (!lines.length) lines.push("现在一条也不能发：要等用户发消息、点菜单、关注或扫码");
  if (!state.account.may_push) lines.push(`${state.account.kind}没有客服消息接口（48001），只能在用户发消息时回复`);
  at("allowance").replaceChildren(...lines.map((line) => make("li", "", line)));
}

function drawMenu(state) {
  const drawn = JSON.stringify(state.menu);
  if (drawn === screen.menu) return showMode();
  screen.menu = drawn;
  if (state.menu.length && screen.prefersMenu) screen.mode = "menu";
  if (!state.menu.length && screen.mode === "menu") screen.mode = "keyboard";
  at("menu").replaceChildren(...state.menu.map(menuEntry));
  showMode();
}

function menuEntry(button, index) {
  const entry = make("div", "entry");
  const top = make("button");
  top.type = "button";
  top.setAttribute("role", "menuitem");
  top.append(make("span", "", button.name));
  entry.append(top);
  if (!button.sub_button.length) {
    top.addEventListener("click", () => press([index]));
    return entry;
  }
  top.prepend(icon("i-lines"));
  top.setAttribute("aria-haspopup", "menu");
  const below = make("div", "below");
  below.hidden = true;
  below.setAttribute("role", "menu");
  below.append(
    ...button.sub_button.map((one, place) => {
      const item = make("button", "", one.name);
      item.type = "button";
      item.setAttribute("role", "menuitem");
      item.addEventListener("click", () => press([index, place]));
      return item;
    }),
  );
  top.addEventListener("click", (event) => {
    const opens = below.hidden;
    closeMenus();
    below.hidden = !opens;
    event.stopPropagation();
  });
  entry.append(below);
  return entry;
}

function press(place) {
  closeMenus();
  act("menu", { place });
}

function closeMenus() {
  for (const below of document.querySelectorAll(".below")) below.hidden = true;
}

function drawTrouble(trouble) {
  if (document.activeElement === at("trouble")) return;
  at("trouble").value = trouble ? `${trouble.trouble}${trouble.after ? "-after" : ""}:${trouble.code}` : "";
}

// The dock: keyboard, voice, menu, drawers.

function showMode() {
  const hasMenu = screen.menu !== "" && screen.menu !== "[]";
  const hasWords = at("words").value.trim() !== "";
  at("menu-bar").hidden = screen.mode !== "menu";
  at("composer").hidden = screen.mode === "menu";
  at("to-menu").hidden = !hasMenu;
  at("words").hidden = screen.mode === "voice";
  at("hold").hidden = screen.mode !== "voice";
  at("to-voice").hidden = screen.mode === "voice";
  at("to-keyboard").hidden = screen.mode !== "voice";
  at("send").hidden = !hasWords || screen.mode === "voice";
  at("to-more").hidden = hasWords && screen.mode !== "voice";
}

function setMode(mode) {
  screen.mode = mode;
  if (mode === "menu") closeDrawers();
  showMode();
  if (mode === "keyboard") at("words").focus();
}

function toggleDrawer(name) {
  const opens = at(name).hidden;
  closeDrawers();
  at(name).hidden = !opens;
  at(name === "more" ? "to-more" : "to-faces").setAttribute("aria-expanded", opens);
  if (opens) toEnd();
}

function closeDrawers() {
  for (const name of ["more", "faces"]) at(name).hidden = true;
  for (const name of ["to-more", "to-faces"]) at(name).setAttribute("aria-expanded", false);
}

function fitWords() {
  const words = at("words");
  words.rows = 1;
  const lines = Math.min(4, Math.max(1, Math.round((words.scrollHeight - 14) / 26)));
  words.rows = lines;
  showMode();
}

function sendWords() {
  const text = at("words").value.trim();
  if (!text) return;
  at("words").value = "";
  fitWords();
  act("text", { text });
}

let toastEnds = 0;
function toast(text) {
  at("toast").textContent = text;
  at("toast").hidden = false;
  clearTimeout(toastEnds);
  toastEnds = setTimeout(() => (at("toast").hidden = true), 4000);
}

// The panel: people, events, raw XML.

function switchTo(openid) {
  screen.openid = openid;
  screen.latest = 0;
  screen.shownAt = null;
  sessionStorage.setItem("openid", openid);
  at("chat").replaceChildren();
  at("raw").replaceChildren();
  listExchanges();
  refresh();
}

async function listExchanges() {
  const listed = await ask(`phone/exchanges?openid=${encodeURIComponent(screen.openid)}`);
  const options = listed.map((one) => {
    const option = make("option", "", `${new Date(one.at).toLocaleTimeString("zh-CN", { hour12: false })}  ${one.outcome}`);
    option.value = one.number;
    return option;
  });
  const first = make("option", "", listed.length ? `共${listed.length}次，选一次看原始XML` : "还没有往来");
  first.value = "";
  const chosen = at("exchanges").value;
  at("exchanges").replaceChildren(first, ...options);
  at("exchanges").value = listed.some((one) => String(one.number) === chosen) ? chosen : "";
}

async function showExchange(number) {
  openPanel(true);
  at("exchanges").value = number;
  const exchange = await ask(`phone/exchanges/${number}`);
  const raw = make("div", "raw");
  const block = (title, text, isBad = false) => {
    raw.append(make("h4", isBad ? "bad" : "", title), make("pre", "", text || "（空）"));
  };
  block("推送的消息（加密前）", exchange.clear);
  exchange.attempts.forEach((attempt, index) => {
    const query = Object.entries(attempt.query).map(([name, value]) => `${name}=${value}`).join("\n");
    block(`第${index + 1}次请求：地址参数`, query);
    block(`第${index + 1}次请求：内容`, attempt.body);
    const outcome = `${attempt.status ?? "无状态码"}，${Math.round(attempt.took_s * 1000)}毫秒，${attempt.fault ?? "接受"}`;
    block(`第${index + 1}次回应：${outcome}`, attempt.answer, attempt.fault !== null);
    if (attempt.clear && attempt.clear !== attempt.answer) block("回应解密后", attempt.clear);
  });
  if (!exchange.attempts.length) block("没有推送", exchange.fault, true);
  at("raw").replaceChildren(raw);
  at("exchanges").scrollIntoView({ block: "start" });
}

function openPanel(opens) {
  at("panel").classList.toggle("open", opens);
  at("open-panel").setAttribute("aria-expanded", opens);
}

async function addUser(name) {
  const { openid } = await tell("phone/users", { name });
  switchTo(openid);
}

// What the hand does.

at("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  sendWords();
});
at("words").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    sendWords();
  }
});
at("words").addEventListener("input", fitWords);
at("words").addEventListener("focus", closeDrawers);
at("to-voice").addEventListener("click", () => setMode("voice"));
at("to-keyboard").addEventListener("click", () => setMode("keyboard"));
at("to-menu").addEventListener("click", () => {
  screen.prefersMenu = true;
  setMode("menu");
});
at("from-menu").addEventListener("click", () => {
  screen.prefersMenu = false;
  setMode("keyboard");
});
at("hold").addEventListener("click", () => act("voice"));
at("to-more").addEventListener("click", () => toggleDrawer("more"));
at("to-faces").addEventListener("click", () => toggleDrawer("faces"));
for (const button of document.querySelectorAll("[data-send]")) {
  button.addEventListener("click", () => {
    closeDrawers();
    act("send", { kind: button.dataset.send });
  });
}
const stickerButton = make("button");
stickerButton.type = "button";
stickerButton.setAttribute("aria-label", "发送表情贴图");
stickerButton.append(picture("sticker.svg", "", ""));
stickerButton.addEventListener("click", () => {
  closeDrawers();
  act("send", { kind: "sticker" });
});
at("faces").append(
  ...FACES.map((face) => {
    const button = make("button", "", face);
    button.type = "button";
    button.addEventListener("click", () => {
      at("words").value += face;
      fitWords();
    });
    return button;
  }),
  stickerButton,
);
at("follow-again").addEventListener("click", () => act("follow"));
for (const action of ["follow", "unfollow", "resend"]) {
  at(action).addEventListener("click", () => {
    openPanel(false);
    act(action);
  });
}
for (const form of document.querySelectorAll("form[data-act]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act(form.dataset.act, { text: form.elements.text.value.trim() });
    openPanel(false);
  });
}
at("add-user").addEventListener("submit", (event) => {
  event.preventDefault();
  addUser(at("new-name").value);
  at("new-name").value = "";
});
at("trouble").addEventListener("change", async () => {
  const [trouble, code] = at("trouble").value.split(":");
  await tell("phone/troubles", {
    trouble: trouble.replace("-after", "") || null,
    code: Number(code ?? -1),
    after: trouble.endsWith("-after"),
  });
  at("trouble").blur();
});
at("exchanges").addEventListener("change", () => {
  if (at("exchanges").value) showExchange(at("exchanges").value);
  else at("raw").replaceChildren();
});
at("back").addEventListener("click", () => {
  openPanel(true);
  at("people").scrollIntoView();
});
at("open-panel").addEventListener("click", () => openPanel(true));
at("close-panel").addEventListener("click", () => openPanel(false));
at("chat").addEventListener("scroll", () => {
  const chat = at("chat");
  screen.isAtEnd = chat.scrollHeight - chat.scrollTop - chat.clientHeight < 80;
});
new ResizeObserver(() => screen.isAtEnd && toEnd()).observe(at("chat"));
document.addEventListener("click", closeMenus);
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  closeMenus();
  closeDrawers();
  openPanel(false);
});

const showClock = () => (at("clock").textContent = clockTime(new Date()));
showClock();
setInterval(showClock, 10_000);

const kept = sessionStorage.getItem("openid");
const { openid: first } = await ask("phone/first");
screen.openid = kept && (await ask(`phone/state?openid=${kept}`).catch(() => null)) ? kept : first;
listExchanges();
listen();
