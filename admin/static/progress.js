// A part of a page that shows work under way looks again by itself, and leaves what is being typed beside it alone.
// Without script the page says how far it is when it is opened again.
const EVERY_MS = 2000;

function follow(id) {
  setTimeout(async () => {
    let unfinished = true;
    try {
      const answer = await fetch(location.pathname);
      if (answer.redirected) return; // signed out meanwhile
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const now = page.getElementById(id);
      if (now) {
        document.getElementById(id).replaceWith(now);
        unfinished = "unfinished" in now.dataset;
      }
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // the server is away for a moment
    }
    if (unfinished) follow(id);
  }, EVERY_MS);
}

for (const part of document.querySelectorAll("[data-unfinished]")) follow(part.id);
