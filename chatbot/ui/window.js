// What only the browser can do: tell clicks to gradio, scroll, remember language and colours. It holds no offsets.
(() => {
  const narrow = matchMedia("(max-width: 900px)");
  const stored = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
  const store = (key, value) => { try { localStorage.setItem(key, value); } catch { /* private window */ } };
  let lastOpened = null;
  let heightBefore = 0;
  let earlier = false;

  const closeSource = () => {
    document.body.classList.remove("reading");
    if (lastOpened && lastOpened.isConnected) lastOpened.focus();
  };

  window.wenceClicks = (element, trigger) => {
    element.addEventListener("click", (event) => {
      const button = event.target.closest("[data-open], [data-example], [data-close]");
      if (!button) return;
      if (button.dataset.example !== undefined) return trigger("example_select", { example: button.dataset.example });
      if (button.dataset.open === undefined) return closeSource();
      const scroller = element.querySelector(".scroll");
      heightBefore = scroller ? scroller.scrollHeight : 0;
      earlier = button.matches(".more:first-child");
      if (!element.querySelector(".source")) {
        document.querySelectorAll("#chat .opened").forEach((other) => other.classList.remove("opened"));
        button.classList.add("opened");
        lastOpened = button;
      }
      document.body.classList.add("reading");
      trigger("select", { place: button.dataset.open });
    });
  };

  // A new place is scrolled to; "earlier" keeps the lines where the reader's eyes are.
  window.wenceScroll = (element) => requestAnimationFrame(() => {
    const scroller = element.querySelector(".scroll");
    if (!scroller) return;
    if (element.querySelector('[data-scroll="keep"]')) {
      if (earlier) scroller.scrollTop += scroller.scrollHeight - heightBefore;
      return;
    }
    const mark = scroller.querySelector("mark");
    if (mark) scroller.scrollTop += mark.getBoundingClientRect().top - scroller.getBoundingClientRect().top
      - scroller.clientHeight / 3;
    else scroller.scrollTop = 0;
    if (narrow.matches) element.querySelector("[data-close]")?.focus();
  });

  window.wenceLanguage = (chosen) => {
    if (chosen) store("wence-language", chosen);
    const lang = chosen || stored("wence-language") || (navigator.language.startsWith("zh") ? "zh" : "en");
    document.documentElement.lang = lang;
    document.body.classList.add("ready");
    return lang;
  };

  window.wenceTheme = () => {
    const dark = document.body.classList.toggle("dark");
    store("wence-theme", dark ? "dark" : "light");
  };

  // The chat follows its newest words unless the reader has scrolled up.
  const follow = (talk) => {
    let atEnd = true;
    talk.addEventListener("scroll", () => {
      atEnd = talk.scrollHeight - talk.scrollTop - talk.clientHeight < 60;
    }, { passive: true });
    new MutationObserver(() => { if (atEnd) talk.scrollTop = talk.scrollHeight; })
      .observe(talk, { childList: true, subtree: true, characterData: true });
  };

  // Enter that only confirms a word of a Chinese input method must not send the question.
  const whileComposing = (event) => {
    if (event.key === "Enter" && (event.isComposing || event.keyCode === 229)) event.stopImmediatePropagation();
  };
  window.addEventListener("keydown", whileComposing, true);
  window.addEventListener("keypress", whileComposing, true);
  window.addEventListener("keydown", (event) => { if (event.key === "Escape") closeSource(); });

  const waiting = setInterval(() => {
    const talk = document.getElementById("talk");
    if (!talk) return;
    clearInterval(waiting);
    follow(talk);
    const theme = stored("wence-theme");
    if (theme) document.body.classList.toggle("dark", theme === "dark");
  }, 50);
})();
