// Shows what is in an IDX file: images drawn as text, other arrays as numbers.
//   show_idx FILE [--index N] [--count N]
#include "command_line.hpp"
#include "text_image.hpp"

#include <digitnet/digitnet.hpp>

namespace {

int show(const std::string& file, std::size_t index, std::size_t count) {
  using namespace digitnet;
  const IdxArray array = read_idx(file);
  const std::size_t items = array.shape.front();
  if (index >= items && items > 0) {
    throw ProgramError(exit_code::usage, "--index " + std::to_string(index) + ": " + file + " has " +
                                             std::to_string(items) + " items, expected a number below");
  }
  std::cout << file << ": shape " << shape_text_of(array.shape) << '\n';
  const std::size_t last = std::min(items, index + std::min(count, items));

  if (const auto* pixels = std::get_if<Vector<std::uint8_t>>(&array.values); pixels && array.shape.size() == 3) {
    const std::size_t size = array.shape[1] * array.shape[2];
    for (std::size_t i = index; i < last; ++i) {
      std::cout << "image " << i << ":\n";
      draw(std::cout, {pixels->data() + i * size, size}, array.shape[1], array.shape[2]);
    }
    return exit_code::done;
  }
  std::visit(
      [&](const auto& values) {
        const std::size_t size = items > 0 ? values.size() / items : 0;
        for (std::size_t i = index; i < last; ++i) {
          std::cout << i << ':';
          for (std::size_t k = 0; k < size; ++k) std::cout << ' ' << +values(i * size + k);  // + for bytes
          std::cout << '\n';
        }
      },
      array.values);
  return exit_code::done;
}

}  // namespace

int main(int argc, char** argv) {
  std::string file;
  std::size_t index = 0;
  std::size_t count = 1;
  CLI::App app("Shows what is in an IDX file: images drawn as text, other arrays as numbers.");
  app.add_option("file", file, "IDX file, plain or gzip")->required();
  app.add_option("--index", index, "First item to show, from 0")->check(whole_number())->capture_default_str();
  app.add_option("--count", count, "Items to show")->check(whole_number())->capture_default_str();
  return run_program(app, argc, argv, [&] { return show(file, index, count); });
}
