//! `weighbridge`: see `weighbridge --help`.

fn main() -> std::process::ExitCode {
    weighbridge::cli::main()
}
