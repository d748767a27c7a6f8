// The theme applies as soon as it is chosen. Without this script the form's button does it.

const said = document.createElement("p");
said.className = "quiet help";
said.setAttribute("role", "status");
const radios = [...document.querySelectorAll("#display input[name=theme]")];
radios[0].closest("fieldset").append(said);

for (const radio of radios) {
  radio.addEventListener("change", () => {
    document.dispatchEvent(new CustomEvent("bigagi-theme", { detail: radio.value }));
    said.textContent = "Saved in this browser.";
  });
}

// Chosen by the keyboard or in another tab.
document.addEventListener("bigagi-theme-applied", ({ detail }) => {
  for (const radio of radios) radio.checked = radio.value === detail;
});
