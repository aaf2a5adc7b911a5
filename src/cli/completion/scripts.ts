import type { shells } from './complete.ts';

/** The script of each shell asks `unroll complete`, so that runs, specs and new rows are known without a new script. */
export const completionScripts: Readonly<Record<(typeof shells)[number], string>> = {
  bash: `# unroll completion bash >> ~/.bashrc
_unroll() {
  local line words current cut
  # Bash splits at = and :, a spec path, a setting and best:EXPERIMENT are one word.
  line="\${COMP_LINE:0:COMP_POINT}"
  read -r -a words <<<"$line"
  [[ "$line" == *' ' ]] && words+=('')
  current="\${words[\${#words[@]}-1]}"
  COMPREPLY=()
  while IFS=$'\\t' read -r value _; do
    [[ "$value" == *[=/] ]] && compopt -o nospace
    # Bash replaces only what follows the last = or :.
    cut="\${current%"\${current##*[=:]}"}"
    COMPREPLY+=("\${value#"$cut"}")
  done < <(unroll complete -- "\${words[@]:1}" 2>/dev/null)
}
complete -F _unroll unroll`,
  zsh: `# unroll completion zsh >> ~/.zshrc, after compinit
_unroll() {
  local -a plain open
  local value description
  while IFS=$'\\t' read -r value description; do
    if [[ "$value" == *[=/] ]]; then open+=("$value"); else plain+=("\${value//:/\\\\:}:$description"); fi
  done < <(unroll complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  (( \${#plain} )) && _describe 'unroll' plain
  (( \${#open} )) && compadd -S '' -a open
}
compdef _unroll unroll`,
  fish: `# unroll completion fish > ~/.config/fish/completions/unroll.fish
function __unroll_complete
  set -l words (commandline --tokenize --cut-at-cursor --current-process) (commandline --current-token --cut-at-cursor)
  unroll complete -- $words[2..-1] 2>/dev/null
end
complete --command unroll --no-files --arguments '(__unroll_complete)'`,
};
