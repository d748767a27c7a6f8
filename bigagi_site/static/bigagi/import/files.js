// Files that are chosen, or dropped anywhere on the page: a browser would open one that misses the box.

const holdsFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");

// `take(files)` gets an array of them; `box` shows that they can be dropped.
export function takeFiles(box, take) {
  box.querySelector("[data-file]").addEventListener("change", ({ target }) => {
    take([...target.files]);
    // The same file can be chosen again.
    target.value = "";
  });
  for (const name of ["dragenter", "dragover"]) {
    document.addEventListener(name, (event) => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      box.classList.add("is-over");
    });
  }
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) box.classList.remove("is-over");
  });
  document.addEventListener("drop", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    box.classList.remove("is-over");
    take([...event.dataTransfer.files]);
  });
}
